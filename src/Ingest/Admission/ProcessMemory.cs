using System.Globalization;

namespace Ingest.Admission;

/// <summary>
/// Memory that the process has for itself: resident, without the pages of files, which the kernel can drop.
/// </summary>
internal sealed class ProcessMemory : IDisposable
{
    private readonly FileStream? _pages;
    private readonly byte[] _text = new byte[256];

    public ProcessMemory()
    {
        if (OperatingSystem.IsLinux())
        {
            _pages = new FileStream("/proc/self/statm", FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        }
    }

    /// <summary>What the container or the machine has, in bytes.</summary>
    public static long AvailableBytes => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Bytes now. One caller at a time.</summary>
    public long Read()
    {
        if (_pages is null)
        {
            return Environment.WorkingSet;
        }

        // statm, see proc(5): size, resident, shared (of files), in pages.
        _pages.Position = 0;
        ReadOnlySpan<byte> text = _text.AsSpan(0, _pages.Read(_text));
        Span<Range> fields = stackalloc Range[4];
        Span<char> chars = stackalloc char[text.Length];
        System.Text.Encoding.ASCII.GetChars(text, chars);
        ((ReadOnlySpan<char>)chars).Split(fields, ' ');
        long resident = long.Parse(chars[fields[1]], CultureInfo.InvariantCulture);
        long shared = long.Parse(chars[fields[2]], CultureInfo.InvariantCulture);
        return (resident - shared) * Environment.SystemPageSize;
    }

    public void Dispose() => _pages?.Dispose();
}

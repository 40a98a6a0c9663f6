namespace Ingest.Tests.Log.Crashes;

/// <summary>Bytes of a file in memory.</summary>
internal sealed class SimulatedFile(int number)
{
    private byte[] _bytes = [];
    private int _length;

    /// <summary>Says which file it is, whatever its name.</summary>
    public int Number { get; } = number;

    public Span<byte> Bytes => _bytes.AsSpan(0, _length);

    /// <summary>Writes; what lies between the end and the offset becomes zeroes.</summary>
    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        SetLength(Math.Max(_length, (int)offset + bytes.Length));
        bytes.CopyTo(_bytes.AsSpan((int)offset));
    }

    public void SetLength(long length)
    {
        if (length > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max((int)length, 2 * _bytes.Length));
        }

        if (length < _length)
        {
            _bytes.AsSpan((int)length, _length - (int)length).Clear();
        }

        _length = (int)length;
    }
}

using System.Buffers;

namespace Ingest.Log;

/// <summary>
/// Keeps a table's producers when the segments that name them are gone: `log/TABLE/producers`, records appended before
/// a segment goes to the store, and written anew when most of them are superseded.
/// </summary>
/// <remarks>The lane's thread alone. What is appended is durable when the method returns, or it throws.</remarks>
internal sealed class ProducerFile(ILogFiles disk, string directory) : IDisposable
{
    private const string Name = "producers";

    // Below this a file is not worth writing anew.
    private const long RewriteBytes = 64 * 1024;

    private readonly ArrayBufferWriter<byte> _bytes = new();
    private ILogFile? _file;
    private long _length;
    private long _rewrittenLength;

    /// <summary>First bytes of the file.</summary>
    public static ReadOnlySpan<byte> Magic => "INGPROD\u0001"u8;

    /// <summary>Path of the file.</summary>
    public string Path { get; } = System.IO.Path.Combine(directory, Name);

    /// <summary>Reads what an earlier run left, the later record of a producer behind the earlier.</summary>
    /// <param name="damagedBytes">
    /// Bytes that are no records and have records behind them. What is at the end is an append that was cut short.
    /// </param>
    public List<ProducerRecord> Read(out long damagedBytes)
    {
        var records = new List<ProducerRecord>();
        damagedBytes = 0;
        if (!disk.Exists(Path))
        {
            return records;
        }

        using var file = disk.Open(Path);
        var bytes = new byte[checked((int)file.Length)];
        file.Read(bytes, 0);
        var at = bytes.AsSpan().StartsWith(Magic) ? Magic.Length : 0;
        for (var expected = Magic.Length; at < bytes.Length;)
        {
            if (ProducerRecord.TryRead(bytes.AsSpan(at), out var size) is { } record)
            {
                records.Add(record);
                damagedBytes += at - expected;
                expected = at += size;
            }
            else
            {
                at++;
            }
        }

        return records;
    }

    /// <summary>
    /// Makes durable what was read: what a killed process appended and did not flush, or failed to, is there to be read,
    /// and would be gone after a loss of power.
    /// </summary>
    /// <exception cref="IOException">It is not durable.</exception>
    public void WriteAgain() => UnsureBytes.WriteAgain(disk, Path);

    /// <summary>Saves what of a table's producers is not saved yet.</summary>
    /// <exception cref="IOException">It is not durable; the next call writes everything.</exception>
    public void Save(ProducerTable producers)
    {
        if (producers.Unsaved.Count == 0)
        {
            return;
        }

        if (_file is null || _length > Math.Max(RewriteBytes, 2 * _rewrittenLength))
        {
            Rewrite(producers);
            return;
        }

        foreach (var producer in producers.Unsaved)
        {
            ProducerRecord.Of(producer).Write(_bytes);
        }

        Append();
        producers.MarkSaved();
    }

    /// <summary>Saves that producers expired.</summary>
    /// <exception cref="IOException">It is not durable.</exception>
    public void SaveExpired(IEnumerable<ProducerState> expired, ProducerTable producers)
    {
        if (_file is null)
        {
            Rewrite(producers);
        }

        foreach (var producer in expired)
        {
            ProducerRecord.OfExpired(producer.Id, producer.LastSegmentId).Write(_bytes);
        }

        Append();
    }

    /// <summary>Writes the file anew with all that is known.</summary>
    /// <exception cref="IOException">It is not durable; the old file may still be there.</exception>
    public void Rewrite(ProducerTable producers)
    {
        Close();
        _bytes.Write(Magic);
        foreach (var (id, lastSegmentId) in producers.Expired)
        {
            ProducerRecord.OfExpired(id, lastSegmentId).Write(_bytes);
        }

        foreach (var producer in producers.All)
        {
            ProducerRecord.Of(producer).Write(_bytes);
        }

        var temporary = Path + SegmentFiles.TemporaryExtension;
        disk.Delete(temporary);
        var file = disk.Create(temporary);
        try
        {
            file.Write([_bytes.WrittenMemory], 0);
            file.Flush();
            disk.Rename(temporary, Path);
            disk.FlushDirectory(directory);
        }
        catch
        {
            file.Dispose();
            _bytes.ResetWrittenCount();
            throw;
        }

        _file = file;
        _length = _rewrittenLength = _bytes.WrittenCount;
        _bytes.ResetWrittenCount();
        producers.MarkSaved();
    }

    public void Dispose() => Close();

    private void Append()
    {
        try
        {
            _file!.Write([_bytes.WrittenMemory], _length);
            _file.Flush();
            _length += _bytes.WrittenCount;
        }
        catch
        {
            // What is on the disk now is unknown: the next time everything is written to a file of its own.
            Close();
            throw;
        }
        finally
        {
            _bytes.ResetWrittenCount();
        }
    }

    private void Close()
    {
        _file?.Dispose();
        _file = null;
    }
}

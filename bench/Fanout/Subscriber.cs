using System.Net.Sockets;

namespace Ingest.Fanout;

/// <summary>
/// A subscriber's connection as the cheapest client would have it: counts messages where they lie and looks into those of
/// a few subscribers only. All calls come from the receiver's thread.
/// </summary>
/// <param name="socket">The connection.</param>
internal abstract class Subscriber(Socket socket) : IDisposable
{
    /// <summary>What of the last read was no whole frame.</summary>
    private byte[] _rest = [];

    private int _restBytes;
    private long _received;
    private long _mark;

    /// <summary>The connection.</summary>
    public Socket Socket { get; } = socket;

    /// <summary>Updates that came since <see cref="Mark"/>, over all subscriptions of the connection.</summary>
    public long Received => Volatile.Read(ref _received) - _mark;

    /// <summary>Whether the subscription stands.</summary>
    public bool IsReady { get; protected set; }

    /// <summary>Looks into the updates; null: they are only counted.</summary>
    public Sample? Sample { get; init; }

    /// <summary>Counts from here on; by the thread that asks for <see cref="Received"/>.</summary>
    public void Mark() => _mark = Volatile.Read(ref _received);

    /// <summary>Takes bytes that came.</summary>
    /// <param name="buffer">A buffer whose first <see cref="Head"/> bytes are free for what was left of the last read.</param>
    /// <param name="count">Bytes behind them.</param>
    public void Take(Span<byte> buffer, int count)
    {
        Span<byte> bytes = buffer.Slice(Head - _restBytes, _restBytes + count);
        _rest.AsSpan(0, _restBytes).CopyTo(bytes);
        int used = Parse(bytes);
        _restBytes = bytes.Length - used;
        if (_restBytes > Head)
        {
            throw new InvalidDataException($"A frame has more than {Head} bytes.");
        }

        if (_restBytes > _rest.Length)
        {
            _rest = new byte[Math.Max(_restBytes, 512)];
        }

        bytes[used..].CopyTo(_rest);
    }

    /// <summary>Free bytes before what is read: longest frame that may be cut off.</summary>
    public const int Head = 32 * 1024;

    /// <inheritdoc/>
    public void Dispose() => Socket.Dispose();

    /// <summary>Takes whole frames.</summary>
    /// <returns>Bytes of them.</returns>
    protected abstract int Parse(ReadOnlySpan<byte> bytes);

    /// <summary>Counts an update.</summary>
    protected void Count(ReadOnlySpan<byte> update)
    {
        Volatile.Write(ref _received, _received + 1);
        Sample?.Take(update);
    }
}

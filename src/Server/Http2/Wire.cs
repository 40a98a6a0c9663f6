namespace Ingest.Server.Http2;

/// <summary>The bytes of one connection, in and out: a socket, or what TLS made of one.</summary>
/// <remarks>One reader and one sender at a time; they may be different threads.</remarks>
internal abstract class Wire
{
    /// <summary>What <see cref="TryReceive"/> returns when nothing has come.</summary>
    public const int Nothing = -1;

    /// <summary>Takes what has come, without waiting.</summary>
    /// <returns>Bytes; 0 at the end; <see cref="Nothing"/>.</returns>
    /// <exception cref="IOException">The connection broke.</exception>
    public abstract int TryReceive(Span<byte> target);

    /// <summary>
    /// Waits until <see cref="TryReceive"/> has something; what it returns says nothing. No memory is held meanwhile. It
    /// throws what the layer below does when the connection broke.
    /// </summary>
    public abstract ValueTask<int> WaitToReceiveAsync();

    /// <summary>Sends; at once where the kernel takes it, and else when it does.</summary>
    /// <returns>Bytes that were sent, at least one of them.</returns>
    /// <exception cref="IOException">The connection broke.</exception>
    public abstract ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes);

    /// <summary>Says that no more is sent, and has a receive that waits end.</summary>
    public abstract void Shutdown();
}

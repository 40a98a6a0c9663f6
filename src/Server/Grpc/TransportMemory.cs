using System.Buffers;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Ingest.Server.Grpc;

/// <summary>The memory that bytes are in between the kernel and a call.</summary>
/// <remarks>
/// Sockets are read into large blocks. A call's unread bytes lie in smaller ones: a block is the least that a call holds
/// that has anything to read, and there are many calls to a connection.
/// </remarks>
internal sealed class TransportMemory : IMemoryPoolFactory<byte>, IMemoryPoolFeature
{
    private const int SocketBlockBytes = 64 * 1024;
    private const int CallBlockBytes = 16 * 1024;
    private const long KeptBytes = 32 * 1024 * 1024;

    /// <summary>Blocks of calls.</summary>
    public MemoryPool<byte> MemoryPool { get; } = new BlockPool(CallBlockBytes, KeptBytes);

    /// <summary>Makes a pool of blocks for sockets.</summary>
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new BlockPool(SocketBlockBytes, KeptBytes);
}

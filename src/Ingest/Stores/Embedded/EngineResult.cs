using System.Runtime.InteropServices;

namespace Ingest.Stores.Embedded;

/// <summary>A result of the engine: an answer, a piece of one, or a running query. Its bytes live as long as it does.</summary>
internal sealed unsafe class EngineResult : SafeHandle
{
    private EngineResult(nint result)
        : base(0, ownsHandle: true) => SetHandle(result);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>Length of the answer in bytes. The buffer of an empty answer is null.</summary>
    public int Length => LibChdb.ResultBuffer(handle) == null ? 0 : checked((int)LibChdb.ResultLength(handle));

    /// <summary>The answer.</summary>
    public ReadOnlySpan<byte> Bytes => new(LibChdb.ResultBuffer(handle), Length);

    /// <summary>First byte of the answer.</summary>
    public byte* Buffer => LibChdb.ResultBuffer(handle);

    /// <summary>Takes what a function of the library returned.</summary>
    /// <exception cref="StoreException">It is an error.</exception>
    public static EngineResult Take(nint result)
    {
        if (result == 0)
        {
            throw new StoreException("The embedded ClickHouse gave no result.", StoreFault.Unavailable);
        }

        byte* error = LibChdb.ResultError(result);
        if (error == null)
        {
            return new EngineResult(result);
        }

        StoreException fault = EngineError.OfQuery(Marshal.PtrToStringUTF8((nint)error)!);
        LibChdb.DestroyResult(result);
        throw fault;
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        LibChdb.DestroyResult(handle);
        return true;
    }
}

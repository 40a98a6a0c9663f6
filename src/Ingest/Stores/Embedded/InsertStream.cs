using System.Runtime.InteropServices;
using System.Text;

namespace Ingest.Stores.Embedded;

/// <summary>An INSERT of the engine that takes its bytes piece by piece.</summary>
internal sealed unsafe class InsertStream : SafeHandle
{
    private bool _ended;

    private InsertStream(nint stream)
        : base(0, ownsHandle: true) => SetHandle(stream);

    public override bool IsInvalid => handle == 0;

    public static InsertStream Begin(EngineConnection connection, string statement, string format = "Native")
    {
        byte[] query = Encoding.UTF8.GetBytes(statement);
        byte[] formatName = Encoding.UTF8.GetBytes(format);
        fixed (byte* q = query, f = formatName)
        {
            var stream = new InsertStream(
                LibChdb.InsertBegin(connection.Pointer, q, (nuint)query.Length, f, (nuint)formatName.Length));
            byte* error = LibChdb.InsertError(stream.handle);
            if (error == null)
            {
                return stream;
            }

            StoreException fault = EngineError.OfInsert(Marshal.PtrToStringUTF8((nint)error)!);
            stream._ended = true;
            stream.Dispose();
            throw fault;
        }
    }

    public bool TryAppend(ReadOnlySpan<byte> piece)
    {
        fixed (byte* p = piece)
        {
            return LibChdb.InsertAppend(handle, p, (nuint)piece.Length) == 0;
        }
    }

    public void Complete()
    {
        _ended = true;
        nint result = LibChdb.InsertDone(handle);
        try
        {
            byte* error = LibChdb.ResultError(result);
            if (error != null)
            {
                throw EngineError.OfInsert(Marshal.PtrToStringUTF8((nint)error)!);
            }
        }
        finally
        {
            LibChdb.DestroyResult(result);
        }
    }

    public void Cancel()
    {
        if (!_ended)
        {
            _ended = true;
            LibChdb.InsertCancel(handle);
        }
    }

    protected override bool ReleaseHandle()
    {
        LibChdb.DestroyInsert(handle);
        return true;
    }
}

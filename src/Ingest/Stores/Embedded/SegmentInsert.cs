using System.Runtime.InteropServices;
using System.Text;
using Ingest.Log;

namespace Ingest.Stores.Embedded;

/// <summary>Sends segments' bytes to the engine. Used by one thread.</summary>
/// <remarks>Holds one pinned buffer for its lifetime; the engine copies each piece, so the buffer is free at once.</remarks>
internal sealed unsafe class SegmentInsert(EngineConnection connection)
{
    /// <summary>The engine queues up to 16 pieces, so they bound what it holds unparsed.</summary>
    private const int PieceBytes = 1 << 20;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(PieceBytes, pinned: true);

    /// <summary>Inserts a segment; when it returns the rows are queryable and on disk.</summary>
    /// <exception cref="StoreException">Nothing was inserted.</exception>
    public void Run(SealedSegment segment, CancellationToken cancellationToken)
    {
        using FileStream file = OpenSegment(segment);
        using InsertStream stream = InsertStream.Begin(
            connection, TableDefinition.Insert(segment.Table, segment.Token));
        try
        {
            for (long left = segment.Length; left > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int read = file.Read(_buffer, 0, (int)Math.Min(PieceBytes, left));
                if (read == 0)
                {
                    throw new StoreException(
                        $"Segment {segment.Path} ends {left} bytes early.", StoreFault.BadData);
                }

                if (!stream.TryAppend(_buffer.AsSpan(0, read)))
                {
                    // The reason comes with the end of the stream.
                    break;
                }

                left -= read;
            }

            stream.Complete();
        }
        catch
        {
            stream.Cancel();
            throw;
        }
    }

    private static FileStream OpenSegment(SealedSegment segment)
    {
        try
        {
            return new FileStream(segment.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        }
        catch (IOException e)
        {
            throw new StoreException($"Segment {segment.Path} cannot be read: {e.Message}", StoreFault.Unavailable, e);
        }
    }

    /// <summary>An INSERT of the engine that takes its bytes piece by piece.</summary>
    private sealed class InsertStream : SafeHandle
    {
        private bool _ended;

        private InsertStream(nint stream)
            : base(0, ownsHandle: true) => SetHandle(stream);

        public override bool IsInvalid => handle == 0;

        public static InsertStream Begin(EngineConnection connection, string statement)
        {
            byte[] query = Encoding.UTF8.GetBytes(statement);
            fixed (byte* q = query, format = "Native"u8)
            {
                var stream = new InsertStream(
                    LibChdb.InsertBegin(connection.Pointer, q, (nuint)query.Length, format, 6));
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
}

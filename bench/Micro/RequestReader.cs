using Ingest.Columns;
using Ingest.Decoding;

namespace Ingest.Micro;

/// <summary>Decodes requests into a batch over and over, as a stream of the server does.</summary>
internal sealed class RequestReader
{
    private readonly List<RejectedRow> _rejected = [];

    /// <summary>Decodes a request.</summary>
    /// <param name="decoder">Decodes it.</param>
    /// <param name="request">The request, of <see cref="Requests.Rows"/> rows.</param>
    /// <param name="batch">Takes the rows; emptied when it is full.</param>
    /// <param name="rejected">Rows of it that have to be rejected.</param>
    /// <returns>Rows of the batch.</returns>
    /// <exception cref="InvalidOperationException">Other rows were rejected: nothing worth measuring.</exception>
    public int Read(RequestDecoder decoder, byte[] request, Batch batch, int rejected = 0)
    {
        // As the server: a batch closes at 8,192 rows, so eight requests share its dictionaries.
        if (batch.RowCount >= 8 * Requests.Rows)
        {
            batch.Reset();
        }

        _rejected.Clear();
        if (decoder.TryAppend(request, batch, Requests.NowSeconds, _rejected) != RequestResult.Decoded
            || _rejected.Count != rejected)
        {
            throw new InvalidOperationException("the rows are not what they should be");
        }

        return batch.RowCount;
    }
}

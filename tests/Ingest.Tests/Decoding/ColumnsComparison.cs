using Google.Protobuf;
using Google.Protobuf.Reflection;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.Tests.Columns;
using Ingest.Tests.Protos;
using Ingest.V1;

namespace Ingest.Tests.Decoding;

/// <summary>
/// Gives a request with columns to our decoder, and the rows that it stands for, one by one, to that of rows, and holds
/// the one to the other.
/// </summary>
internal sealed class ColumnsComparison
{
    private readonly MessageDescriptor _requestType;
    private readonly Func<byte[], List<IMessage>?> _expand;
    private readonly MessageParser _rowParser;
    private readonly RequestDecoder _decoder;
    private readonly Batch _batch;
    private readonly Batch _rows;
    private readonly List<RejectedRow> _rejected = [];

    public ColumnsComparison(string table)
    {
        bool isPoint = table == nameof(GpsPoint);
        _requestType = isPoint ? StreamGpsPointsRequest.Descriptor : StreamEventsRequest.Descriptor;
        _expand = isPoint
            ? bytes => ColumnsExpansion<RawPoint>.Of(RawPointRequest.Parser.ParseFrom(bytes).Columns)
            : bytes => ColumnsExpansion<RawEvent>.Of(RawEventRequest.Parser.ParseFrom(bytes).Columns);
        _rowParser = isPoint ? RawPoint.Parser : RawEvent.Parser;
        var schema = TableSchema.FromDescriptor(Tables.Of(table));
        _decoder = new RequestDecoder(new RowDecoder(schema)) { MaxRows = ColumnsExpansion<RawPoint>.MaxRows };
        _batch = new Batch(schema);
        _rows = new Batch(schema);
    }

    /// <summary>Requests all of whose rows were good.</summary>
    public int Whole { get; private set; }

    public int WithRejected { get; private set; }

    public int Malformed { get; private set; }

    /// <summary>Requests whose columns make no rows.</summary>
    public int Unfit { get; private set; }

    /// <summary>Inputs on which Google.Protobuf for C# and the specification differ.</summary>
    public int Lenient { get; private set; }

    public void Add(byte[] request)
    {
        _rejected.Clear();
        int before = _batch.RowCount;
        RequestResult result = _decoder.TryAppend(GuardedBytes.Of(request), _batch, Rows.Now, _rejected);
        string text = Convert.ToHexString(request);
        if (result != RequestResult.Decoded)
        {
            Assert.Equal(before, _batch.RowCount);
        }

        if (!CanParse(request))
        {
            Assert.True(result != RequestResult.Decoded, $"only we took {text}");
            Malformed++;
        }
        else if (WireWalk.Over(request, _requestType).HasLeniency)
        {
            Assert.True(result != RequestResult.Decoded, $"not the specification: {text}");
            Lenient++;
        }
        else if (_expand(request) is not { } rows)
        {
            Assert.True(
                result == RequestResult.TooManyRows
                || (result == RequestResult.Unfit && _batch.ColumnsScratch.Fault is not null),
                $"{result}, and these columns make no rows: {text}");
            Unfit++;
        }
        else
        {
            Assert.True(
                result == RequestResult.Decoded, $"we refused for {_batch.ColumnsScratch.Fault}: {text}");
            Compare(rows, text);
        }
    }

    /// <summary>Compares the blocks of the rows that were accepted since the last time.</summary>
    public void Check()
    {
        Assert.Equal(_rows.RowCount, _batch.RowCount);
        Assert.True(
            Blocks.Encode(_batch).AsSpan().SequenceEqual(Blocks.Encode(_rows)), "the blocks of both forms differ");
        _batch.Reset();
        _rows.Reset();
    }

    public override string ToString() =>
        $"whole {Whole}, with rejected rows {WithRejected}, malformed {Malformed}, unfit {Unfit}, not compared {Lenient}";

    private void Compare(List<IMessage> rows, string text)
    {
        int next = 0;
        for (int i = 0; i < rows.Count; i++)
        {
            byte[] row = rows[i].ToByteArray();
            RowResult result = _decoder.Rows.TryAppend(row, _rows, Rows.Now, out RowFault fault);
            if (result == RowResult.Accepted)
            {
                continue;
            }

            Assert.Equal(RowResult.Rejected, result);
            Assert.True(next < _rejected.Count, $"row {i} was taken: {text}");
            RejectedRow rejected = _rejected[next++];
            Assert.Equal((i, fault), (rejected.Index, rejected.Fault));
            Assert.Equal(rows[i], _rowParser.ParseFrom(rejected.BytesIn([])));
        }

        Assert.Equal(next, _rejected.Count);
        _ = next > 0 ? WithRejected++ : Whole++;
    }

    private bool CanParse(byte[] request)
    {
        try
        {
            _requestType.Parser.ParseFrom(request);
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
    }
}

using System.Globalization;
using Google.Protobuf;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.V1;

namespace Ingest.Tests.Decoding.Instructions;

/// <summary>
/// The process whose instructions are counted: it says that it is ready, and then decodes as its input says.
/// </summary>
internal static class DecodeProcess
{
    /// <summary>Points of a request of many.</summary>
    public const int Points = 50;

    /// <summary>Points of a request with columns.</summary>
    public const int ColumnPoints = 100;

    /// <summary>Events of a request.</summary>
    public const int Events = 5;

    /// <summary>Events of a request with columns.</summary>
    public const int EventsAsColumns = 20;

    private const int WarmUps = 300;

    /// <summary>Reads lines <c>form requests</c>, decodes so many requests, and answers each with <c>done</c>.</summary>
    public static void Run()
    {
        var points = new Decoder(GpsPoint.Descriptor);
        var events = new Decoder(Event.Descriptor);
        GpsPoint[] rows = [.. Enumerable.Range(0, ColumnPoints).Select(Rows.Point)];
        byte[] many = new StreamGpsPointsRequest { Points = { rows[..Points] } }.ToByteArray();
        byte[] one = new StreamGpsPointsRequest { Points = { rows[0] } }.ToByteArray();
        byte[] columns = new StreamGpsPointsRequest { Columns = ColumnsOf.Points(rows) }.ToByteArray();
        byte[] eventRows = new StreamEventsRequest
        {
            Events = { Enumerable.Range(0, Events).Select(Rows.Event) },
        }.ToByteArray();
        byte[] eventColumns = new StreamEventsRequest
        {
            Columns = ColumnsOf.Events(Enumerable.Range(0, EventsAsColumns).Select(Rows.Event)),
        }.ToByteArray();
        var forms = new Dictionary<string, Action>(StringComparer.Ordinal)
        {
            ["points"] = () => points.Decode(many),
            ["single-points"] = () => points.Decode(one),
            ["point-columns"] = () => points.Decode(columns),
            ["event-columns"] = () => events.Decode(eventColumns),
            ["events"] = () => events.Decode(eventRows),
        };
        foreach (Action decode in forms.Values)
        {
            for (int i = 0; i < WarmUps; i++)
            {
                decode();
            }
        }

        Console.WriteLine("ready");
        while (Console.ReadLine() is { } line)
        {
            string[] words = line.Split(' ');
            Action decode = forms[words[0]];
            points.Reset();
            events.Reset();
            for (int i = int.Parse(words[1], CultureInfo.InvariantCulture); i > 0; i--)
            {
                decode();
            }

            Console.WriteLine("done");
        }
    }

    private sealed class Decoder(Google.Protobuf.Reflection.MessageDescriptor row)
    {
        private readonly Batch _batch = new(TableSchema.FromDescriptor(row));
        private readonly RequestDecoder _requests = new(new RowDecoder(TableSchema.FromDescriptor(row)));
        private readonly List<RejectedRow> _rejected = [];

        public void Reset() => _batch.Reset();

        public void Decode(byte[] request)
        {
            // As the server: a batch closes at some thousand rows, so that requests share its dictionaries.
            if (_batch.RowCount >= 8000)
            {
                _batch.Reset();
            }

            if (_requests.TryAppend(request, _batch, Rows.Now, _rejected) != RequestResult.Decoded
                || _rejected.Count > 0)
            {
                throw new InvalidOperationException("the rows are not what they should be");
            }
        }
    }
}

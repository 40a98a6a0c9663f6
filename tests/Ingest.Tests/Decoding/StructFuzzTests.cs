using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.V1;
using Xunit.Abstractions;

namespace Ingest.Tests.Decoding;

/// <summary>
/// Random Structs in rows and in columns, by emitted code, the interpreter and Google.Protobuf: the same rows taken,
/// the same values, the same bytes, and nothing read beyond them. INGEST_FUZZ_CASES asks for more of them.
/// </summary>
public sealed class StructFuzzTests(ITestOutputHelper output)
{
    private const int RowsEach = 100;
    private const int RequestsEach = 10;
    private const int RowsOfRequest = 40;
    private const uint PropertiesTag = (Event.PropertiesFieldNumber << 3) | 2;

    private static readonly int s_cases =
        int.TryParse(Environment.GetEnvironmentVariable("INGEST_FUZZ_CASES"), out int cases) ? cases : 2000;

    [Fact]
    public void Structs_of_rows_are_read_as_Google_Protobuf_reads_them_and_alike_by_both_readers()
    {
        int seed = Random.Shared.Next();
        var emitted = new Comparison(Event.Descriptor);
        var interpreted = new Comparison(Event.Descriptor, emitsCode: false);
        try
        {
            var choices = Choices.From(new Random(seed));
            var maker = new StructMaker(choices);
            for (int i = 1; i <= s_cases; i++)
            {
                byte[] row = Row(i, choices, maker);
                emitted.Add(row);
                interpreted.Add(row);
                if (i % RowsEach == 0 || i == s_cases)
                {
                    Assert.True(emitted.Check().AsSpan().SequenceEqual(interpreted.Check()), "the blocks differ");
                }
            }
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
        }

        output.WriteLine(
            $"accepted {emitted.Accepted}, rejected {emitted.Rejected}, malformed {emitted.Malformed}, "
            + $"not compared {emitted.Lenient}");
        Assert.InRange(emitted.Accepted, s_cases / 2, s_cases);
        Assert.InRange(emitted.Rejected, s_cases / 200, s_cases);
        Assert.InRange(emitted.Malformed, s_cases / 100, s_cases);
        Assert.InRange(emitted.Lenient, 0, s_cases / 20);
    }

    [Fact]
    public void Structs_of_columns_are_read_as_those_of_rows()
    {
        int seed = Random.Shared.Next();
        int requests = s_cases / RowsOfRequest;
        var comparison = new ColumnsComparison(nameof(Event));
        try
        {
            var choices = Choices.From(new Random(seed));
            var maker = new StructMaker(choices);
            for (int i = 1; i <= requests; i++)
            {
                comparison.Add(Request(choices, maker));
                if (i % RequestsEach == 0 || i == requests)
                {
                    comparison.Check();
                }
            }
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
        }

        output.WriteLine(comparison.ToString());
        Assert.InRange(comparison.Whole, requests / 10, requests);
        Assert.InRange(comparison.WithRejected + comparison.Malformed, requests / 20, requests);
    }

    private static byte[] Row(int number, Choices choices, StructMaker maker)
    {
        Event row = Rows.Event(number);
        row.Properties = null;
        row.Timestamp = new Timestamp { Seconds = Comparison.Now - 1000 };
        var bytes = new MemoryStream();
        row.WriteTo(bytes);

        // In two parts they are one.
        for (int i = choices.OneIn(20) ? 2 : 1; i > 0; i--)
        {
            Write(bytes, PropertiesTag, maker.Make());
        }

        return bytes.ToArray();
    }

    private static byte[] Request(Choices choices, StructMaker maker)
    {
        Event[] events = [.. Enumerable.Range(0, 1 + choices.Next(RowsOfRequest)).Select(Rows.Event)];
        EventColumns columns = ColumnsOf.Events(events);
        columns.Properties.Clear();
        var message = new MemoryStream();
        columns.WriteTo(message);
        bool isTame = choices.OneIn(2);
        for (int i = 0; i < events.Length; i++)
        {
            byte[] properties = isTame || choices.OneIn(4) ? events[i].Properties.ToByteArray() : maker.Make();
            Write(message, (EventColumns.PropertiesFieldNumber << 3) | 2, properties);
        }

        var request = new MemoryStream();
        Write(request, (StreamEventsRequest.ColumnsFieldNumber << 3) | 2, message.ToArray());
        return request.ToArray();
    }

    private static void Write(MemoryStream target, uint tag, byte[] content)
    {
        WireField.WriteVarint(target, tag, padding: 0);
        WireField.WriteVarint(target, (ulong)content.Length, padding: 0);
        target.Write(content);
    }
}

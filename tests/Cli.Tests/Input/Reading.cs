using System.Text;
using Google.Protobuf;
using Ingest.Cli.Binding;
using Ingest.Cli.Input;
using Ingest.V1;

namespace Ingest.Cli.Tests.Input;

/// <summary>Reads texts and files as the command does, without a server.</summary>
internal static class Reading
{
    public static (List<GpsPoint> Rows, List<string> Faults) Points(
        string text, BindingOptions? options = null, InputFormat? format = null) =>
        All(Encoding.UTF8.GetBytes(text), new GpsPointBinder(options ?? new BindingOptions()), format);

    public static (List<Event> Rows, List<string> Faults) Events(string text, BindingOptions? options = null) =>
        All(Encoding.UTF8.GetBytes(text), new EventBinder(options ?? new BindingOptions()), format: null);

    public static (List<MetricSample> Rows, List<string> Faults) Metrics(string text) =>
        All(Encoding.UTF8.GetBytes(text), new MetricSampleBinder(new BindingOptions()), format: null);

    public static (List<Order> Rows, List<string> Faults) Orders(string text, BindingOptions? options = null) =>
        All(Encoding.UTF8.GetBytes(text), new OrderBinder(options ?? new BindingOptions()), format: null);

    public static (List<TRow> Rows, List<string> Faults) All<TRow>(
        byte[] bytes, RowBinder<TRow> binder, InputFormat? format)
        where TRow : class, IMessage<TRow>
    {
        var rows = new List<TRow>();
        var faults = new List<string>();
        using var reader = InputFormats.Open(new LineReader(new MemoryStream(bytes)), format, binder);
        ReadOutcome outcome;
        while ((outcome = reader.Read()) != ReadOutcome.End)
        {
            if (outcome == ReadOutcome.Row)
            {
                rows.Add(reader.Row.Clone());
            }
            else
            {
                faults.Add($"{reader.Line}: {reader.Fault}");
            }
        }
        return (rows, faults);
    }

    public static string Time(Google.Protobuf.WellKnownTypes.Timestamp timestamp) =>
        timestamp.ToDateTime().ToString("yyyy-MM-ddTHH:mm:ss.ffffff", System.Globalization.CultureInfo.InvariantCulture);
}

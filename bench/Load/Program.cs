using System.CommandLine;
using Ingest.Load;

var server = new Option<Uri>("--server")
{
    Description = "gRPC address of the server.",
    CustomParser = argument => new Uri(argument.Tokens[0].Value),
    DefaultValueFactory = _ => new Uri("http://127.0.0.1:7400"),
};
var streams = new Option<int>("--streams") { Description = "Streams at the same time.", DefaultValueFactory = _ => 1 };
var connections = new Option<int>("--connections")
{
    Description = "HTTP/2 connections that the streams share.",
    DefaultValueFactory = _ => 1,
};
var rate = new Option<double>("--rate")
{
    Description = "Points a second of all streams together; 0 is as fast as it goes.",
    DefaultValueFactory = _ => 0,
};
var message = new Option<int>("--points-per-message")
{
    Description = "Points in a gRPC message.",
    DefaultValueFactory = _ => 1000,
};
var distinct = new Option<int>("--distinct-points")
{
    Description = "Points that are made before and then sent over and over; frames only.",
    DefaultValueFactory = _ => 1_000_000,
};
var later = new Option<long>("--later")
{
    Description = "Seconds by which points' times are moved, so that a load does not send those of one before; frames only.",
    DefaultValueFactory = _ => 0,
};
var form = new Option<string>("--form")
{
    Description = "How a message has its points: rows or columns.",
    DefaultValueFactory = _ => "rows",
};
form.AcceptOnlyFromAmong("rows", "columns");
var via = new Option<string>("--via")
{
    Description = "Who sends: our SDK, or frames that were made before and cost almost nothing to send.",
    DefaultValueFactory = _ => "sdk",
};
via.AcceptOnlyFromAmong("sdk", "frames");
var method = new Option<string>("--method")
{
    Description = "stream (StreamGpsPoints) or append (Append, whose acks are timed; frames only).",
    DefaultValueFactory = _ => "stream",
};
method.AcceptOnlyFromAmong("stream", "append");
var seconds = new Option<double>("--seconds")
{
    Description = "How long to send.",
    DefaultValueFactory = _ => 10,
};
var warmUp = new Option<double>("--warm-up")
{
    Description = "Seconds to send before anything is counted; append only.",
    DefaultValueFactory = _ => 0,
};
var json = new Option<FileInfo?>("--json") { Description = "File that the report is written to as JSON." };
var root = new RootCommand("Sends GPS points over many streams, and prints what was acknowledged and when.")
{
    server, streams, connections, rate, message, distinct, later, form, via, method, seconds, warmUp, json,
};
root.SetAction(async (parsed, cancellation) =>
{
    var options = new LoadOptions
    {
        Server = parsed.GetValue(server)!,
        Streams = parsed.GetValue(streams),
        Connections = Math.Min(parsed.GetValue(connections), parsed.GetValue(streams)),
        PointsPerSecond = parsed.GetValue(rate),
        PointsPerMessage = parsed.GetValue(message),
        DistinctPoints = parsed.GetValue(distinct),
        LaterSeconds = parsed.GetValue(later),
        AsColumns = parsed.GetValue(form) == "columns",
        ThroughSdk = parsed.GetValue(via) == "sdk",
        AsAppend = parsed.GetValue(method) == "append",
        WarmUp = TimeSpan.FromSeconds(parsed.GetValue(warmUp)),
        Duration = TimeSpan.FromSeconds(parsed.GetValue(seconds)),
    };
    if (!options.Server.IsLoopback)
    {
        await Console.Error.WriteLineAsync($"{options.Server} is not on this machine; load goes to loopback only.");
        return 2;
    }

    if (options.AsAppend && options.ThroughSdk)
    {
        await Console.Error.WriteLineAsync("--method append needs --via frames.");
        return 2;
    }

    LoadReport report = options.ThroughSdk ? await SdkLoad.RunAsync(options, cancellation) : FrameLoad.Run(options);
    Console.WriteLine(report.ToText());
    if (parsed.GetValue(json) is { } file)
    {
        await File.WriteAllTextAsync(file.FullName, report.ToJson(), cancellation);
    }

    return report.Rejected == 0 ? 0 : 1;
});
return await root.Parse(args).InvokeAsync();

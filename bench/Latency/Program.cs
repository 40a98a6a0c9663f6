using System.CommandLine;
using Ingest.Latency;

var server = new Option<Uri>("--server")
{
    Description = "gRPC address of the server.",
    CustomParser = argument => new Uri(argument.Tokens[0].Value),
    Required = true,
};
var http = new Option<Uri>("--http")
{
    Description = "HTTP address of the server.",
    CustomParser = argument => new Uri(argument.Tokens[0].Value),
    Required = true,
};
var drivers = new Option<int>("--drivers") { Description = "Drivers with an order each.", DefaultValueFactory = _ => 50 };
var rate = new Option<double>("--rate") { Description = "Points a second of all of them.", DefaultValueFactory = _ => 100 };
var warmUp = new Option<double>("--warm-up") { Description = "Seconds before anything counts.", DefaultValueFactory = _ => 3 };
var seconds = new Option<double>("--seconds") { Description = "How long to measure.", DefaultValueFactory = _ => 10 };
var root = new RootCommand(
    "Sends points of drivers with orders, and measures when their predictions come back. Load beside it is others' work.")
{
    server, http, drivers, rate, warmUp, seconds,
};
root.SetAction(async (parsed, cancellation) =>
{
    var run = new LatencyRun(
        parsed.GetValue(server)!, parsed.GetValue(http)!, parsed.GetValue(drivers), parsed.GetValue(rate),
        TimeSpan.FromSeconds(parsed.GetValue(warmUp)), TimeSpan.FromSeconds(parsed.GetValue(seconds)));
    LatencyReport report = await run.RunAsync(cancellation);
    Console.WriteLine(report.ToText());
    return report.Missing == 0 ? 0 : 1;
});
return await root.Parse(args).InvokeAsync();

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
    Description = "Points a second and stream; 0 is as fast as it goes.",
    DefaultValueFactory = _ => 0,
};
var message = new Option<int>("--points-per-message")
{
    Description = "Points in a gRPC message.",
    DefaultValueFactory = _ => 1000,
};
var form = new Option<string>("--form")
{
    Description = "How a message has its points: rows or columns.",
    DefaultValueFactory = _ => "rows",
};
form.AcceptOnlyFromAmong("rows", "columns");
var seconds = new Option<double>("--seconds")
{
    Description = "How long to send.",
    DefaultValueFactory = _ => 10,
};
var root = new RootCommand("Sends GPS points over many streams through the SDK, and prints what was acknowledged.")
{
    server, streams, connections, rate, message, form, seconds,
};
root.SetAction((parsed, cancellation) => PointLoad.RunAsync(
    new PointLoadOptions
    {
        Server = parsed.GetValue(server)!,
        Streams = parsed.GetValue(streams),
        Connections = parsed.GetValue(connections),
        PointsPerSecond = parsed.GetValue(rate),
        PointsPerMessage = parsed.GetValue(message),
        AsColumns = parsed.GetValue(form) == "columns",
        Duration = TimeSpan.FromSeconds(parsed.GetValue(seconds)),
    },
    cancellation));
return await root.Parse(args).InvokeAsync();

using System.CommandLine;
using System.Globalization;
using Ingest.Fanout;

if (args is ["serve", var http2])
{
    return await ServeCommand.RunAsync(Enum.Parse<Ingest.Server.Grpc.Http2Kind>(http2));
}

var peers = new Option<string>("--peers")
{
    Description = "Servers, separated by commas: ingest, ingest-100 (100 subscriptions a connection), kestrel, kestrel-100 "
        + "(the same with Kestrel's HTTP/2), nats, ws.",
    DefaultValueFactory = _ => "ingest,ingest-100,nats,ws",
};
var subscribers = new Option<string>("--subscribers")
{
    Description = "Numbers of subscribers, rising.",
    DefaultValueFactory = _ => "1,100,1000,10000",
};
var seconds = new Option<double>("--seconds")
{
    Description = "How long each thing is measured.", DefaultValueFactory = _ => 5,
};
var warmUp = new Option<double>("--warm-up")
{
    Description = "Seconds of load before.", DefaultValueFactory = _ => 4,
};
var paced = new Option<int>("--paced")
{
    Description = "Deliveries a second at which ages are measured.", DefaultValueFactory = _ => 50_000,
};
var idle = new Option<int>("--idle")
{
    Description = "Subscribers whose memory is measured while nothing is published; 0: it is not.",
    DefaultValueFactory = _ => 10_000,
};
var stalled = new Option<int>("--stalled")
{
    Description = "Subscribers beside one that never reads; 0: not tried.", DefaultValueFactory = _ => 1000,
};
var window = new Option<int>("--window")
{
    Description = "Deliveries on their way at most while it goes as fast as it can.", DefaultValueFactory = _ => 200_000,
};
var modules = new Option<string>("--modules")
{
    Description = "Directory of ws-broadcaster.mjs and its node_modules.", DefaultValueFactory = _ => "bench/Fanout",
};
var root = new RootCommand("Fans one topic out to many subscribers, and the same with other servers.")
{
    peers, subscribers, seconds, warmUp, paced, idle, stalled, window, modules,
};
root.SetAction(parsed =>
{
    var options = new FanoutOptions
    {
        Peers = parsed.GetValue(peers)!.Split(','),
        Window = parsed.GetValue(window),
        BesideStalled = parsed.GetValue(stalled),
        IdleSubscribers = parsed.GetValue(idle),
        Subscribers = [.. parsed.GetValue(subscribers)!.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(n => int.Parse(n, CultureInfo.InvariantCulture))],
        Duration = TimeSpan.FromSeconds(parsed.GetValue(seconds)),
        WarmUp = TimeSpan.FromSeconds(parsed.GetValue(warmUp)),
        PacedDeliveries = parsed.GetValue(paced),
    };
    FanoutReport.Run(options, parsed.GetValue(modules)!);
});
return await root.Parse(args).InvokeAsync();

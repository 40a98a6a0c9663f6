using Ingest.LogBench;

// dotnet run -c Release --project bench/Log [DIRECTORY]: what the log does on the disk of DIRECTORY (default: temporary).
var root = args.Length > 0 ? args[0] : Path.GetTempPath();
using var bench = new LogBench(Directory.CreateDirectory(Path.Combine(root, $"ingest-logbench-{Environment.ProcessId}")).FullName);
Console.WriteLine($"{Environment.ProcessorCount} cores, {root}");
Console.WriteLine(Measurement.Heading);
foreach (var senders in new[] { 1, 50 })
{
    Console.WriteLine(await bench.ClosedLoopAsync(senders, rows: 1));
    Console.WriteLine(await bench.ClosedLoopAsync(senders, rows: 100));
}

Console.WriteLine(await bench.PacedAsync(senders: 50, appendsPerSecond: 10_000));
Console.WriteLine(await bench.FloodAsync(threads: Environment.ProcessorCount, rows: 1000, enabled: true));
Console.WriteLine(await bench.FloodAsync(threads: Environment.ProcessorCount, rows: 1, enabled: true));
Console.WriteLine(await bench.FloodAsync(threads: Environment.ProcessorCount, rows: 1, enabled: false));
Console.WriteLine(await bench.RecoverAsync(bytes: 1L << 30));

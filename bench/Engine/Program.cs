using System.Globalization;
using Ingest.EngineBench;

// dotnet run -c Release --project bench/Engine -- DIRECTORY [SEGMENTS]: what the embedded engine alone takes to insert
// segments of gps_points that a stopped server's log in DIRECTORY holds, until its merges are idle.
if (args.Length is < 1 or > 2)
{
    Console.Error.WriteLine("Ingest.EngineBench DIRECTORY [SEGMENTS]");
    return 2;
}

int count = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : int.MaxValue;
await EngineRun.RunAsync(args[0], count);
return 0;

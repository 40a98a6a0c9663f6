using System.Globalization;
using Ingest.EngineBench;

// dotnet run -c Release --project bench/Engine -- DIRECTORY [SEGMENTS [plain]]: what the embedded engine alone takes to
// insert segments of gps_points that a stopped server's log in DIRECTORY holds, until its merges are idle. Plain: the
// segments' bytes as they are, rows not in the order of the table.
if (args.Length is < 1 or > 3 || (args.Length == 3 && args[2] != "plain"))
{
    Console.Error.WriteLine("Ingest.EngineBench DIRECTORY [SEGMENTS [plain]]");
    return 2;
}

int count = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : int.MaxValue;
await EngineRun.RunAsync(args[0], count, orderRows: args.Length < 3);
return 0;

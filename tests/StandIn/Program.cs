using System.Globalization;
using Ingest.StandIns;

await StandInServer.RunAsync(args[0], int.Parse(args[1], CultureInfo.InvariantCulture));

using System.Globalization;

namespace Ingest.EndToEnd.Tests.Overload;

/// <summary>What load to make, as it stands on the command line of the process that makes it.</summary>
internal sealed record LoadOptions(
    string Address, string Name, double Seconds, int Producers, int Connections, double RowsPerSecond, int RowsPerRequest)
{
    /// <summary>API key; empty for none.</summary>
    public string Token { get; init; } = "";

    public IEnumerable<string> ToArguments() => [
        "load", Address, Name, Text(Seconds), Text(Producers), Text(Connections), Text(RowsPerSecond), Text(RowsPerRequest),
        Token];

    public static LoadOptions Parse(string[] arguments) => new(
        arguments[1], arguments[2], Number(arguments[3]), (int)Number(arguments[4]), (int)Number(arguments[5]),
        Number(arguments[6]), (int)Number(arguments[7]))
    {
        Token = arguments[8],
    };

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}

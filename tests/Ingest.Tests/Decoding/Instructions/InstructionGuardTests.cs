using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Xunit.Abstractions;

namespace Ingest.Tests.Decoding.Instructions;

/// <summary>
/// Instructions that decoding takes a row, all rules checked: what a change of the hot path costs, whatever the machine
/// does beside it. The limits are a quarter above what was counted on an AMD EPYC; where decoding gets better, lower them.
/// </summary>
public sealed class InstructionGuardTests(ITestOutputHelper output)
{
    private const int TracingRefused = 3;

    [SkippableTheory]
    [InlineData("points", 2, DecodeProcess.Points, 1080)]
    [InlineData("single-points", 80, 1, 1220)]
    [InlineData("point-columns", 2, DecodeProcess.ColumnPoints, 440)]
    [InlineData("events", 2, DecodeProcess.Events, 5400)]
    [InlineData("event-columns", 2, DecodeProcess.EventsAsColumns, 5500)]
    public async Task A_row_takes_no_more_instructions_than_it_did(string form, int requests, int rows, int limit)
    {
        const string python = "/usr/bin/python3";
        Skip.IfNot(
            OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64 && File.Exists(python),
            "the limits are for Linux on x64, counted with Debian's python3");
        var start = new ProcessStartInfo(python)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList =
            {
                Path.Combine(AppContext.BaseDirectory, "Decoding", "Instructions", "count_instructions.py"),
                $"{form} 1", $"{form} {1 + requests}", "--",
                "dotnet", "exec", typeof(InstructionGuardTests).Assembly.Location, "decode",
            },

            // Methods are compiled once and for good, so that nothing changes between two counts.
            Environment = { ["DOTNET_TieredCompilation"] = "0" },
        };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string counts = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Skip.If(process.ExitCode == TracingRefused, $"instructions cannot be counted here: {await errors}");
        Assert.True(process.ExitCode == 0, await errors);

        long[] counted = [.. counts.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => long.Parse(line, CultureInfo.InvariantCulture))];
        double perRow = (double)(counted[1] - counted[0]) / (requests * rows);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{perRow:0} instructions a row"));
        Assert.InRange(perRow, 1, limit);
    }
}

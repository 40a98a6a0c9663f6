using System.Globalization;
using Spectre.Console;

namespace Ingest.Cli.Streaming;

/// <summary>Shows on standard error how a job goes on: a bar on a terminal, else a line every two seconds.</summary>
/// <param name="console">Where to show it.</param>
/// <param name="describe">The state in words.</param>
/// <param name="done">How much is done, 0 to 1.</param>
internal sealed class ProgressDisplay(CommandConsole console, Func<string> describe, Func<double> done)
{
    private static readonly TimeSpan BarInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(2);

    /// <summary>Shows progress until the job is done; its failure is not thrown here.</summary>
    public Task ShowAsync(Task job) => console.ErrorIsTerminal ? ShowBarAsync(job) : ShowLinesAsync(job);

    private Task ShowBarAsync(Task job)
    {
        var terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(console.Error) });
        return terminal.Progress()
            .AutoClear(true)
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn())
            .StartAsync(async context =>
            {
                var bar = context.AddTask(describe(), maxValue: 1);
                while (!await IsDoneAsync(job, BarInterval))
                {
                    bar.Value = done();
                    bar.Description = describe();
                }
            });
    }

    private async Task ShowLinesAsync(Task job)
    {
        while (!await IsDoneAsync(job, LineInterval))
        {
            console.Error.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"{100 * done(),3:F0} %  {describe()}"));
        }
    }

    private static async Task<bool> IsDoneAsync(Task job, TimeSpan interval)
    {
        await job.WaitAsync(interval).ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        return job.IsCompleted;
    }
}

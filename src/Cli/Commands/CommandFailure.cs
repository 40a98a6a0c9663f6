using Ingest.Cli.Query;
using Ingest.Client;
using Ingest.Protocol;

namespace Ingest.Cli.Commands;

/// <summary>Turns what went wrong into one sentence and an exit code: the one place that does.</summary>
internal static class CommandFailure
{
    /// <summary>Runs a command.</summary>
    public static async Task<int> GuardAsync(CommandConsole console, Func<Task<int>> command)
    {
        try
        {
            return await command();
        }
        catch (Exception exception) when (Describe(exception) is not null)
        {
            var (exitCode, sentence) = Describe(exception)!.Value;
            console.Error.WriteLine($"ingest: {sentence}");
            return exitCode;
        }
    }

    private static (int ExitCode, string Sentence)? Describe(Exception exception) => exception switch
    {
        UsageException or FileNotFoundException => (ExitCode.Usage, exception.Message),
        RpcException rpc => (ExitCode.ServerError, Describe(rpc)),
        InvalidDataException => (ExitCode.SomeRejected, exception.Message),
        QueryException query => (query.IsRefused ? ExitCode.SomeRejected : ExitCode.ServerError, query.Message),
        OperationCanceledException => (ExitCode.Interrupted, "interrupted"),
        IOException or UnauthorizedAccessException => (ExitCode.Usage, exception.Message),
        _ => null,
    };

    private static string Describe(RpcException rpc)
    {
        var sentence = rpc.StatusCode == StatusCode.Unavailable ? rpc.Detail : $"{rpc.StatusCode}: {rpc.Detail}";
        if (rpc.GetAcceptedCount() is { } accepted)
        {
            sentence = $"{sentence} ({accepted} rows of the stream are durable)";
        }
        return rpc.GetRetryDelay() is { } delay
            ? $"{sentence} (try again in {delay.TotalSeconds:0.#} s)"
            : sentence;
    }
}

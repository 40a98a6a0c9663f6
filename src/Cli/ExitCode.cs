namespace Ingest.Cli;

/// <summary>How the process ends.</summary>
internal static class ExitCode
{
    /// <summary>Everything was done.</summary>
    public const int Success = 0;

    /// <summary>Some rows were rejected or some lines were no rows; or the server refused a query.</summary>
    public const int SomeRejected = 1;

    /// <summary>The command line, or a file that it names, is not what it should be.</summary>
    public const int Usage = 2;

    /// <summary>The server cannot be reached, or failed.</summary>
    public const int ServerError = 3;

    /// <summary>Interrupted by the user, as shells have it: 128 + SIGINT.</summary>
    public const int Interrupted = 130;
}

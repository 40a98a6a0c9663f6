namespace Ingest.Cli;

/// <summary>Where a command writes: what was asked for to <see cref="Out"/>, everything else to Error.</summary>
/// <param name="Out">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="OutIsTerminal">Whether a person reads <see cref="Out"/>, not a program or a file.</param>
/// <param name="ErrorIsTerminal">Whether a person reads <see cref="Error"/>.</param>
internal sealed record CommandConsole(TextWriter Out, TextWriter Error, bool OutIsTerminal, bool ErrorIsTerminal)
{
    /// <summary>The process's own.</summary>
    public static CommandConsole OfProcess() =>
        new(Console.Out, Console.Error, !Console.IsOutputRedirected, !Console.IsErrorRedirected);

    /// <summary>Opens <see cref="Out"/> for bytes.</summary>
    public Func<Stream> OpenOut { get; init; } = Console.OpenStandardOutput;
}

using System.Collections.Concurrent;
using Google.Protobuf;
using Ingest.Protocol;

namespace Ingest.Cli.DeadLetters;

/// <summary>Sends dead letters again, several at a time.</summary>
internal sealed class ReplayJob(LetterBox box, ReplayCall call)
{
    private const int AtATime = 16;

    /// <summary>Sends the letters that were not sent before.</summary>
    /// <returns>What came of each, in their order.</returns>
    public async Task<IReadOnlyList<(Letter Letter, ReplayOutcome Outcome, string Reason)>> RunAsync(
        IReadOnlyList<Letter> letters, CancellationToken cancellationToken)
    {
        var results = new ConcurrentDictionary<Letter, (ReplayOutcome Outcome, string Reason)>(ReferenceEqualityComparer.Instance);
        foreach (var table in letters.GroupBy(letter => letter.Table))
        {
            ByteString fingerprint;
            HashSet<string> replayed;
            try
            {
                fingerprint = await call.FingerprintAsync(table.Key, cancellationToken);
                // The server forgets a producer after a while; the rows say for longer.
                replayed = await box.ReplayedAsync(table.Key, cancellationToken);
            }
            catch (RpcException exception) when (exception.StatusCode is not StatusCode.Unavailable)
            {
                foreach (var letter in table)
                {
                    results[letter] = (ReplayOutcome.Refused, exception.Detail);
                }
                continue;
            }

            await Parallel.ForEachAsync(
                table,
                new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellationToken },
                async (letter, token) => results[letter] = replayed.Contains(letter.Id)
                    ? (ReplayOutcome.Already, "")
                    : LetterContent.IsBlock(letter)
                    ? (ReplayOutcome.Refused, "it is kept as a block, of which no message can be made")
                    : await call.SendAsync(letter, fingerprint, token));
        }
        return [.. letters.Select(letter => (letter, results[letter].Outcome, results[letter].Reason))];
    }
}

using Ingest.Protocol;

namespace Ingest.Server.Grpc;

/// <summary>What happened to the calls of one method since the start.</summary>
/// <remarks>
/// Safe for use by several threads at once. Plain counters that a scrape reads: a call costs a few interlocked
/// additions, a message none, since streams add up on their own what they publish once a read or flush.
/// </remarks>
/// <param name="method"><c>package.Service/Method</c>.</param>
internal sealed class MethodMetrics(string method)
{
    private readonly long[] _finished = new long[(int)StatusCode.Unauthenticated + 1];
    private long _started;
    private long _received;
    private long _sent;

    /// <summary><c>package.Service/Method</c>.</summary>
    public string Method { get; } = method;

    /// <summary>Calls that came.</summary>
    public long Started => Interlocked.Read(ref _started);

    /// <summary>Calls that run now.</summary>
    public long Active
    {
        get
        {
            // Finished ones first: a call that comes and goes in between must not make it negative.
            long finished = 0;
            for (var code = 0; code < _finished.Length; code++)
            {
                finished += Finished((StatusCode)code);
            }

            return Started - finished;
        }
    }

    /// <summary>Requests that were handed to the service.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>Responses that were written.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Calls that ended so.</summary>
    public long Finished(StatusCode code) => Interlocked.Read(ref _finished[(int)code]);

    public void OnStarted() => Interlocked.Increment(ref _started);

    public void OnFinished(StatusCode code)
    {
        // A service may end its call with a number of its own.
        var known = (uint)code < (uint)_finished.Length ? code : StatusCode.Unknown;
        Interlocked.Increment(ref _finished[(int)known]);
    }

    public void OnReceived(long messages) => Interlocked.Add(ref _received, messages);

    public void OnSent(long messages) => Interlocked.Add(ref _sent, messages);
}

using System.Text;
using System.Text.Json;
using Ingest.Topics;

namespace Ingest.Server.Realtime;

/// <summary>One of a socket's subscriptions.</summary>
internal sealed class WebSocketSubscription(string id, IReadOnlyList<string> topics, Subscription cursor)
{
    private byte[] _lastSeen = [.. cursor.ResumeToken];

    /// <summary>Its name on the connection.</summary>
    public string Id { get; } = id;

    /// <summary>What it follows.</summary>
    public IReadOnlyList<string> Topics { get; } = topics;

    /// <summary>Its place.</summary>
    public Subscription Cursor { get; } = cursor;

    /// <summary>What of its messages comes after the update and before the token.</summary>
    public byte[] Tail { get; } = Encoding.UTF8.GetBytes($",\"id\":{JsonSerializer.Serialize(id)},\"resume_token\":\"");

    /// <summary>What sends its updates.</summary>
    public Task Pump { get; set; } = Task.CompletedTask;

    /// <summary>Whether its place has changed since this was last asked.</summary>
    public bool HasMovedOn()
    {
        ReadOnlySpan<byte> token = Cursor.ResumeToken;
        if (token.SequenceEqual(_lastSeen))
        {
            return false;
        }

        _lastSeen = token.ToArray();
        return true;
    }

    /// <summary>Ends it, and returns when nothing of it is being sent any more.</summary>
    public Task EndAsync()
    {
        Cursor.Dispose();
        return Pump;
    }
}

namespace Ingest.Server.Realtime;

/// <summary>Why the server closes a socket, beside the codes of its stop.</summary>
internal static class WebSocketCloseCodes
{
    /// <summary>RFC 6455: the client does what it was told not to, or asks what cannot be.</summary>
    public const int PolicyViolation = 1008;

    /// <summary>RFC 6455: a message without end.</summary>
    public const int TooBig = 1009;

    /// <summary>RFC 6455: the server failed, and logged why.</summary>
    public const int ServerError = 1011;

    /// <summary>A subscription with the policy <c>disconnect</c> fell behind.</summary>
    public const int SlowConsumer = 4008;

    /// <summary>The token of the address cannot be gone on from.</summary>
    public const int CannotResume = 4010;
}

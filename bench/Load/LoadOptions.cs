namespace Ingest.Load;

/// <summary>What load to make.</summary>
internal sealed record LoadOptions
{
    /// <summary>gRPC address of the server; loopback, since nobody else's server is to be loaded.</summary>
    public required Uri Server { get; init; }

    /// <summary>Streams at the same time.</summary>
    public required int Streams { get; init; }

    /// <summary>HTTP/2 connections that the streams share.</summary>
    public required int Connections { get; init; }

    /// <summary>Points a second of all streams together; 0 is as fast as it goes.</summary>
    public required double PointsPerSecond { get; init; }

    /// <summary>Points in a gRPC message.</summary>
    public required int PointsPerMessage { get; init; }

    /// <summary>Points that are made before and then sent over and over; frames only.</summary>
    public required int DistinctPoints { get; init; }

    /// <summary>Seconds by which the points' times are moved, so that a second load does not send those of the first.</summary>
    public required long LaterSeconds { get; init; }

    /// <summary>Whether a message has its points as columns.</summary>
    public required bool AsColumns { get; init; }

    /// <summary>Whether they go through our SDK; else frames that were made before are written to the socket.</summary>
    public required bool ThroughSdk { get; init; }

    /// <summary>Whether the method is Append, whose acks are timed; else StreamGpsPoints.</summary>
    public required bool AsAppend { get; init; }

    /// <summary>How long to send before anything is counted.</summary>
    public required TimeSpan WarmUp { get; init; }

    /// <summary>How long to send.</summary>
    public required TimeSpan Duration { get; init; }
}

namespace Ingest.Server.Grpc;

/// <summary>Why a call's token was cancelled; the first reason stays.</summary>
internal enum CancelReason
{
    None,
    Client,
    Deadline,
    Draining,
    Service,
}

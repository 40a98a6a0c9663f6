namespace Ingest.Log.Inspection;

/// <summary>How far a producer is in a table.</summary>
/// <param name="Id">Its stable id.</param>
/// <param name="Epoch">Its highest session number.</param>
/// <param name="DurableOffset">First offset that is not durable.</param>
/// <param name="LastSeen">When rows of it last came.</param>
public sealed record InspectedProducer(string Id, long Epoch, long DurableOffset, DateTimeOffset LastSeen);

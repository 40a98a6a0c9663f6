namespace Ingest.Topics;

/// <summary>A place in a topic: the next update that a cursor reads.</summary>
/// <param name="Topic">Name of the topic.</param>
/// <param name="Epoch">Epoch, 12 hexadecimal digits.</param>
/// <param name="Offset">Offset within the epoch.</param>
internal readonly record struct TopicPlace(string Topic, string Epoch, long Offset);

namespace Ingest.Topics;

/// <summary>
/// More updates wait to become durable than there is room for: their publishers do not await them. Nothing was taken.
/// </summary>
/// <param name="message">What waits, for people.</param>
public sealed class TopicFullException(string message) : Exception(message);

namespace Ingest.Topics;

/// <summary>What a subscriber or a publisher asked for cannot be; the message is one sentence for people.</summary>
public sealed class TopicException : Exception
{
    /// <summary>Makes one.</summary>
    /// <param name="field">
    /// Path of the field at fault as <c>SubscribeStart</c> names it, for example <c>filter.comparison.field</c>.
    /// </param>
    /// <param name="message">What is wrong with it.</param>
    public TopicException(string field, string message)
        : base(message) => Field = field;

    /// <summary>Path of the field at fault as <c>SubscribeStart</c> names it.</summary>
    public string Field { get; }
}

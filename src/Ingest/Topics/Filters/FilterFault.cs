namespace Ingest.Topics.Filters;

/// <summary>Why a condition makes no sense for a kind of payload.</summary>
internal sealed class FilterFault(string message, bool isUnknownField = false) : Exception(message)
{
    /// <summary>Whether the payload does not have the field at all.</summary>
    public bool IsUnknownField { get; } = isUnknownField;
}

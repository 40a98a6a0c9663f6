namespace Ingest.Admission;

/// <summary>How short something is of which there is a limit.</summary>
public enum Pressure
{
    /// <summary>There is enough.</summary>
    Normal,

    /// <summary>Senders are slowed.</summary>
    Soft,

    /// <summary>New rows are refused.</summary>
    Hard,
}

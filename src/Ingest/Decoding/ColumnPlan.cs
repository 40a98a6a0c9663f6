namespace Ingest.Decoding;

/// <summary>A column of a columns message: how it comes, and which column of the table it goes to.</summary>
internal sealed class ColumnPlan
{
    public ColumnPlan(int index, string name, ColumnKind kind, int slot, int width, FieldPlan field, RowCheck[] checks)
    {
        (Index, Name, Kind, Slot, Width, Field, Checks) = (index, name, kind, slot, width, field, checks);
        LengthFault = $"{name} has another length than row_count";
        IndexFault = $"{name} has an index outside its dictionary";
        BothFault = $"{name} has both values and a dictionary";
        ItemsFault = $"{name} has another number of items than its lengths add up to";
        MaxBytes = checks.Select(c => c.MaxBytes ?? int.MaxValue).DefaultIfEmpty(int.MaxValue).Min();
    }

    /// <summary>Place among the plans.</summary>
    public int Index { get; }

    public string Name { get; }

    public ColumnKind Kind { get; }

    /// <summary>The first of its regions.</summary>
    public int Slot { get; }

    /// <summary>Bytes of a number.</summary>
    public int Width { get; }

    /// <summary>The field of the row.</summary>
    public FieldPlan Field { get; }

    /// <summary>The rules on its values.</summary>
    public RowCheck[] Checks { get; }

    /// <summary>Longest string that is no fault.</summary>
    public int MaxBytes { get; }

    /// <summary>Whether every row has to have a value.</summary>
    public bool IsRequired => Field.Node.Rules?.Required == true;

    public string LengthFault { get; }

    public string IndexFault { get; }

    public string BothFault { get; }

    public string ItemsFault { get; }
}

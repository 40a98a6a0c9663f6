namespace Ingest.Tests.Columns;

/// <summary>A block that was read back.</summary>
internal sealed record NativeBlock(int Rows, List<NativeColumn> Columns)
{
    public NativeColumn this[string name] => Columns.Single(c => c.Name == name);
}

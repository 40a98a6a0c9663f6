namespace Ingest.Decoding;

/// <summary>One step of the walk over a columns message: what to do with a tag.</summary>
/// <param name="Op">What.</param>
/// <param name="Slot">Place among the regions; -1 for what has none.</param>
/// <param name="Width">Bytes of a packed number; 0 for varints.</param>
/// <param name="WireType">Wire type of one number.</param>
/// <param name="Nested">The fields of a nested message.</param>
internal sealed record ColumnsStep(
    ColumnsOp Op, int Slot, int Width = 0, uint WireType = Wire.Len, TagTable<ColumnsStep>? Nested = null);

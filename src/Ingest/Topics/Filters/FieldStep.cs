using Google.Protobuf.Reflection;

namespace Ingest.Topics.Filters;

/// <summary>A step of the way to a field: into a message, or to the value itself.</summary>
/// <param name="Number">Number of the field.</param>
/// <param name="IsRepeated">Whether it is a list: then the condition holds when it holds for one of the items.</param>
internal readonly record struct FieldStep(int Number, bool IsRepeated)
{
    public static FieldStep Of(FieldDescriptor field) => new(field.FieldNumber, field.IsRepeated);
}

using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests.Subscriptions;

/// <summary>Updates that say which they are.</summary>
internal static class Numbers
{
    private const string Field = "number";

    public static Struct Payload(int number) => new() { Fields = { [Field] = Value.ForNumber(number) } };

    public static int Of(Update update) => (int)update.Custom.Fields[Field].NumberValue;
}

using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Agents.Hosting;

/// <summary>Writes into a payload, and reads from it, which agent emitted it for which row.</summary>
internal static class ProvenanceStamp
{
    private const string FieldName = "provenance";
    private const string Inputs = "inputs";

    /// <summary>Completes the provenance: what the agent has said itself stays.</summary>
    public static void Write(IMessage payload, Agent agent, Trigger? trigger, TimeSpan? sinceReceived)
    {
        if (payload is Struct custom)
        {
            Write(custom, agent, trigger);
        }
        else if (Field(payload) is { } field)
        {
            var provenance = (Provenance?)field.Accessor.GetValue(payload) ?? new Provenance();
            provenance.Agent = agent.Name;
            provenance.AgentVersion = provenance.AgentVersion.Length > 0 ? provenance.AgentVersion : agent.Version;
            if (trigger is { } row)
            {
                provenance.Inputs.Add(row.ToString());
            }

            if (sinceReceived is { } time)
            {
                provenance.IngestToEmit ??= Duration.FromTimeSpan(time);
            }

            field.Accessor.SetValue(payload, provenance);
        }
    }

    /// <summary>The rows that an update of an agent was emitted for.</summary>
    public static IEnumerable<Trigger> TriggersOf(Update update, string agent)
    {
        IMessage? payload = PayloadOf(update);
        IEnumerable<string> inputs = payload switch
        {
            Struct custom when custom.Fields.TryGetValue(FieldName, out Value? value)
                && value.StructValue is { } own && own.Fields.TryGetValue("agent", out Value? name)
                && name.StringValue == agent && own.Fields.TryGetValue(Inputs, out Value? list) =>
                list.ListValue?.Values.Select(v => v.StringValue) ?? [],
            null or Struct => [],
            _ when Field(payload)?.Accessor.GetValue(payload) is Provenance own && own.Agent == agent => own.Inputs,
            _ => [],
        };
        foreach (string input in inputs)
        {
            if (Trigger.TryParse(input, out Trigger trigger))
            {
                yield return trigger;
            }
        }
    }

    private static void Write(Struct custom, Agent agent, Trigger? trigger)
    {
        var own = new Struct
        {
            Fields = { ["agent"] = Value.ForString(agent.Name), ["agent_version"] = Value.ForString(agent.Version) },
        };
        if (trigger is { } row)
        {
            own.Fields[Inputs] = Value.ForList(Value.ForString(row.ToString()));
        }

        custom.Fields[FieldName] = Value.ForStruct(own);
    }

    private static IMessage? PayloadOf(Update update) =>
        Update.Descriptor.Oneofs[0].Accessor.GetCaseFieldDescriptor(update)?.Accessor.GetValue(update) as IMessage;

    private static FieldDescriptor? Field(IMessage payload) =>
        payload.Descriptor.FindFieldByName(FieldName) is { FieldType: FieldType.Message } field
        && field.MessageType == Provenance.Descriptor ? field : null;
}

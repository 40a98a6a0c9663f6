using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Ingest.Server.Tests;

/// <summary>docs/configuration.md lists every setting with its default, and none that there is not.</summary>
public partial class ConfigurationDocumentTests
{
    [Fact]
    public void Every_setting_is_listed_with_its_default()
    {
        string root = typeof(ConfigurationDocumentTests).Assembly
            .GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "RepositoryRoot").Value!;
        string[] listed =
        [
            .. Row().Matches(File.ReadAllText(Path.Combine(root, "docs", "configuration.md")))
                .Select(row => $"{row.Groups["key"].Value} = {row.Groups["value"].Value}"),
        ];
        string[] settings = [.. Settings(ServerOptions.Section, typeof(ServerOptions), new ServerOptions())];
        Assert.Equal("", string.Join(", ", settings.Except(listed)));
        Assert.Equal("", string.Join(", ", listed.Except(settings)));
    }

    private static IEnumerable<string> Settings(string prefix, Type type, object? values) =>
        from property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
        where property.CanWrite
        let key = $"{prefix}:{property.Name}"
        where key is not "Ingest:Log:DataDirectory" // The server's own is taken.
        let value = values is null ? null : property.GetValue(values)
        from setting in property.PropertyType.Namespace!.StartsWith("Ingest", StringComparison.Ordinal)
            && !property.PropertyType.IsEnum
            ? Settings(key, property.PropertyType, value)
            : [$"{key} = {Text(property.Name, value)}"]
        select setting;

    private static string Text(string name, object? value) => value switch
    {
        null or "" => "none",
        string text => text,
        Enum choice => choice.ToString(),
        bool flag => flag ? "true" : "false",
        TimeSpan time when time < TimeSpan.FromSeconds(1) => $"{time.TotalMilliseconds} ms",
        TimeSpan time when time.Ticks % TimeSpan.TicksPerDay == 0 && time > TimeSpan.Zero => $"{time.TotalDays} days",
        TimeSpan time => $"{time.TotalSeconds} s",
        ICollection { Count: 0 } => "none",
        int count when name.EndsWith("Port", StringComparison.Ordinal) => $"{count}",
        int when name is "OpenBatches" => "cores",
        _ when name.EndsWith("Bytes", StringComparison.Ordinal) =>
            Bytes(Convert.ToInt64(value, CultureInfo.InvariantCulture)),
        IFormattable number => number.ToString("#,0.##", CultureInfo.InvariantCulture),
        _ => throw new NotSupportedException($"{name} is a {value.GetType()}."),
    };

    private static string Bytes(long count) => count switch
    {
        >= 1 << 30 when count % (1 << 30) == 0 => $"{count >> 30} GiB",
        >= 1 << 20 when count % (1 << 20) == 0 => $"{count >> 20} MiB",
        >= 1 << 10 when count % (1 << 10) == 0 => $"{count >> 10} KiB",
        _ => $"{count} bytes",
    };

    [GeneratedRegex(@"^\| `(?<key>Ingest:[^`]+)` \| (?<value>[^|]+) \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}

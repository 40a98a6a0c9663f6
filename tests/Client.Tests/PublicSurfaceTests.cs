using System.Reflection;
using System.Text;

namespace Ingest.Client.Tests;

/// <summary>
/// What users of the SDK build on. When a change to it is meant, copy what the test prints into PublicSurface.txt; the
/// difference is then seen in review.
/// </summary>
public sealed class PublicSurfaceTests
{
    [Fact]
    public void The_public_surface_is_the_one_that_was_agreed()
    {
        var agreed = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "PublicSurface.txt"));
        var actual = Describe(typeof(IngestClient).Assembly);
        Assert.True(agreed == actual, $"PublicSurface.txt should be:\n{actual}");
    }

    private static string Describe(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(type.IsSealed ? type.IsAbstract ? "static " : "sealed " : "").Append(Name(type)).Append('\n');
            const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance
                | BindingFlags.Static | BindingFlags.DeclaredOnly;
            var members = type.GetMembers(Declared)
                .Select(Describe)
                .OfType<string>()
                .Order(StringComparer.Ordinal);
            foreach (var member in members)
            {
                text.Append("    ").Append(member).Append('\n');
            }
        }
        return text.ToString();
    }

    private static string? Describe(MemberInfo member) => member switch
    {
        MethodBase { IsPublic: false, IsFamily: false } => null,
        // What the compiler makes for records.
        MethodInfo method when method.Name.Contains('<', StringComparison.Ordinal) => null,
        MethodInfo { Name: "GetHashCode" or "Equals" or "ToString" or "op_Equality" or "op_Inequality" } => null,
        MethodInfo { IsSpecialName: true } => null,
        ConstructorInfo constructor => $"new({Parameters(constructor)})",
        MethodInfo method => $"{(method.IsStatic ? "static " : "")}{Name(method.ReturnType)} {method.Name}"
            + $"({Parameters(method)})",
        PropertyInfo property when property.GetMethod is { IsPublic: true } =>
            $"{Name(property.PropertyType)} {property.Name} {{ get;{Setter(property)} }}",
        FieldInfo { IsPublic: true } field => $"{Name(field.FieldType)} {field.Name}",
        EventInfo happening => $"event {happening.Name}",
        _ => null,
    };

    private static string Setter(PropertyInfo property) => property.SetMethod switch
    {
        { IsPublic: true } set when set.ReturnParameter.GetRequiredCustomModifiers().Length > 0 => " init;",
        { IsPublic: true } => " set;",
        _ => "",
    };

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(parameter =>
        $"{Name(parameter.ParameterType)} {parameter.Name}{(parameter.HasDefaultValue ? " = default" : "")}"));

    private static string Name(Type type)
    {
        if (!type.IsGenericType)
        {
            return type.Name;
        }
        var name = type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)];
        return $"{name}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
    }
}

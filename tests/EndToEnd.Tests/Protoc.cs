using System.Diagnostics;
using System.Security.Cryptography;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Ingest.EndToEnd.Tests;

/// <summary>Images that protoc builds, as a user would.</summary>
internal static class Protoc
{
    /// <summary>Builds an image of a file's text; the test is skipped where protoc is not installed.</summary>
    /// <param name="image">Path of the image.</param>
    /// <param name="text">The file's text.</param>
    public static async Task BuildAsync(string image, string text)
    {
        string folder = Directory.CreateTempSubdirectory("ingest-protos-").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "shop.proto"), text);
            string built = Path.Combine(folder, "shop.binpb");
            await RunAsync(
                "--include_imports", $"--descriptor_set_out={built}", $"-I{folder}",
                $"-I{Path.Combine(Data.Repository(), "protos")}", "shop.proto");
            File.Move(built, image, overwrite: true);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>SHA-256 of a message's descriptor, taken from the image as a sender would.</summary>
    public static ByteString Fingerprint(string image, string message)
    {
        FileDescriptorSet set = FileDescriptorSet.Parser.ParseFrom(File.ReadAllBytes(image));
        DescriptorProto descriptor = set.File[^1].MessageType.Single(m => m.Name == message);
        return ByteString.CopyFrom(SHA256.HashData(descriptor.ToByteArray()));
    }

    private static async Task RunAsync(params string[] arguments)
    {
        Process process;
        try
        {
            process = Process.Start(new ProcessStartInfo("protoc", arguments) { RedirectStandardError = true })!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new SkipException("protoc is not installed");
        }

        using (process)
        {
            string errors = await process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 0, errors);
        }
    }
}

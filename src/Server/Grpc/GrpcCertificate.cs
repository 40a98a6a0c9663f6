using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ingest.Server.Grpc;

/// <summary>Where a certificate lies: a PEM file with its key file, or a PKCS #12 (PFX) file.</summary>
public sealed record GrpcCertificate
{
    /// <summary>Path of the PEM chain, leaf first, or of the PFX file.</summary>
    public required string Path { get; init; }

    /// <summary>Path of the PEM private key; null: <see cref="Path"/> is a PFX file.</summary>
    public string? KeyPath { get; init; }

    /// <summary>Password of the key or of the PFX file; null: none.</summary>
    public string? Password { get; init; }

    /// <summary>Reads the certificate with its key and the intermediates that stand beside it.</summary>
    /// <exception cref="InvalidOperationException">The files cannot be read; the text says which and why.</exception>
    public (X509Certificate2 Leaf, X509Certificate2Collection Chain) Load()
    {
        try
        {
            X509Certificate2Collection chain = [];
            if (KeyPath is null)
            {
                var leaf = X509CertificateLoader.LoadPkcs12FromFile(Path, Password);
                return leaf.HasPrivateKey
                    ? (leaf, chain)
                    : throw new CryptographicException("it holds no private key");
            }

            chain.ImportFromPemFile(Path);
            return (Password is null
                ? X509Certificate2.CreateFromPemFile(Path, KeyPath)
                : X509Certificate2.CreateFromEncryptedPemFile(Path, Password, KeyPath), chain);
        }
        catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException)
        {
            var files = KeyPath is null ? Path : $"{Path} with key {KeyPath}";
            throw new InvalidOperationException($"The certificate {files} cannot be used: {error.Message}", error);
        }
    }
}

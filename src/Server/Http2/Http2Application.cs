namespace Ingest.Server.Http2;

/// <summary>What answers the requests: the application that the host gave the server.</summary>
internal abstract class Http2Application
{
    /// <summary>Makes the stream of a request, which knows the application's type of context.</summary>
    public abstract Http2Stream CreateStream(Http2Connection connection, int id);
}

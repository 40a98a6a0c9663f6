using System.Net;

namespace Ingest.Server.Http2;

/// <summary>An address whose sockets are ours, where Kestrel's own transport would take any other.</summary>
internal sealed class Http2EndPoint(IPAddress address, int port) : IPEndPoint(address, port);

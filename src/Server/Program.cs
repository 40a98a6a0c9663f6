return await Ingest.Server.ServerHost.RunAsync(args);

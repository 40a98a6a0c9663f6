// gRPC C++, callback API, arenas: decodes every point and drops it. peer PORT
#include <grpcpp/grpcpp.h>

#include <string>

#include "peer.grpc.pb.h"

namespace {

using ingest::v1::IngestService;
using ingest::v1::StreamGpsPointsRequest;
using ingest::v1::StreamGpsPointsResponse;

class Reader final : public grpc::ServerReadReactor<StreamGpsPointsRequest> {
 public:
  explicit Reader(StreamGpsPointsResponse* response) : response_(response) { StartRead(&request_); }

  void OnReadDone(bool ok) override {
    if (!ok) {
      response_->set_accepted_count(count_);
      Finish(grpc::Status::OK);
      return;
    }
    for (const auto& point : request_.points()) {
      count_ += point.driver_id().empty() ? 0 : 1;
    }
    StartRead(&request_);
  }

  void OnDone() override { delete this; }

 private:
  StreamGpsPointsRequest request_;
  StreamGpsPointsResponse* response_;
  int64_t count_ = 0;
};

class Peer final : public IngestService::CallbackService {
  grpc::ServerReadReactor<StreamGpsPointsRequest>* StreamGpsPoints(
      grpc::CallbackServerContext*, StreamGpsPointsResponse* response) override {
    return new Reader(response);
  }
};

}  // namespace

int main(int, char** arguments) {
  Peer peer;
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(64 << 20);
  builder.AddListeningPort(std::string("127.0.0.1:") + arguments[1], grpc::InsecureServerCredentials());
  builder.RegisterService(&peer);
  builder.BuildAndStart()->Wait();
}

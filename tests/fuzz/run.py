#!/usr/bin/env python3
"""Runs fuzz targets of the fuzz preset for a while each; prints executions, edges and the lines covered of the code they aim at.

    ./dev fuzz [--seconds 30] [--jobs 2] [TARGET...]

A target starts from tests/fuzz/seeds/<target>/, what once broke it in tests/fuzz/regressions/<target>/, and what earlier
runs kept in build/fuzz-corpus/<target>/. Exit status 1 when a target found something; its input is named.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FUZZ = ROOT / "tests/fuzz"

# target -> the sources that it aims at
TARGETS = {
    "properties": ["config/properties.cc", "config/tidy.cc", "config/odd_text.cc", "config/graph_builder.cc", "codec/utf8.cc"],
    "placeholders": ["config/placeholders.cc", "config/config_filters.cc"],
    "line_splitter": ["codec/lines/line_splitter.cc", "codec/lines/line_splitter.h"],
    "avro_container": ["codec/avro/container_reader.cc", "codec/avro/schema.cc", "codec/avro/datum.cc", "codec/avro/block_codec.cc"],
    "avro_rpc": ["rpc/avro/call_reader.cc", "rpc/avro/event_decoder.cc", "rpc/avro/frame_reader.cc", "rpc/avro/known_clients.cc", "rpc/avro/message.cc",
                 "rpc/avro/protocol.cc", "rpc/header_blocks.cc"],
    "thrift_rpc": ["rpc/thrift/event_decoder.cc", "rpc/thrift/event_encoder.cc", "rpc/thrift/frame_reader.cc", "rpc/thrift/message.cc",
                   "rpc/thrift/wire.cc", "rpc/header_blocks.cc"],
    "spark_rpc": ["rpc/session.cc", "rpc/avro/call_reader.cc", "rpc/avro/spark_calls.cc", "rpc/avro/known_clients.cc", "sinks/spark/spark_session.cc"],
    "jks": ["net/jks.cc"],
    "broker_node": ["clients/zookeeper/broker_node.cc", "clients/zookeeper/connect_string.cc"],
    "position_file": ["sources/taildir/position_file.cc"],
    "tracker_file": ["sources/spooldir/tracker_file.cc"],
    "path_escapes": ["codec/path_escapes.cc"],
    "date_pattern": ["codec/java_date.cc", "codec/time_zone.cc"],
    "java_regex": ["codec/java_regex.cc", "codec/java_regex_syntax.cc", "codec/java_regex_property.cc"],
    "charset": ["codec/charset.cc", "codec/utf8.cc"],
    "segment_scan": ["channels/file/record_scan.cc", "channels/file/segment_format.cc", "channels/file/encryption.cc"],
    "snapshot": ["channels/file/snapshot.cc", "channels/file/interval_set.cc"],
    "flume_log": ["channels/file/flume/log_reader.cc", "channels/file/flume/log_record.cc", "channels/file/flume/protobuf.cc",
                  "channels/file/flume/backlog.cc", "channels/file/flume/file_window.cc"],
    "flume_checkpoint": ["channels/file/flume/checkpoint.cc", "channels/file/flume/md5.cc"],
    "http_endpoint": ["monitor/http_endpoint.cc"],
}


def line_coverage(program, profile, sources):
    merged = profile.with_suffix(".profdata")
    subprocess.run(["llvm-profdata-16", "merge", "-sparse", str(profile), "-o", str(merged)], check=True)
    export = subprocess.run(["llvm-cov-16", "export", "--summary-only", f"--instr-profile={merged}", str(program)],
                            check=True, capture_output=True, text=True).stdout
    covered = total = 0
    for entry in json.loads(export)["data"][0]["files"]:
        if any(entry["filename"].endswith("/" + source) for source in sources):
            lines = entry["summary"]["lines"]
            covered, total = covered + lines["covered"], total + lines["count"]
    return 100 * covered / total if total else 0


def run(build, target, seconds):
    program = build / "tests/fuzz" / f"{target}_fuzz"
    corpus = ROOT / "build/fuzz-corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    profile = build / f"{target}.profraw"
    inputs = [FUZZ / kind / f"{target}_fuzz" for kind in ("seeds", "regressions")]
    dictionary = FUZZ / "dictionaries" / f"{target}.dict"
    command = [str(program), f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
               f"-artifact_prefix={corpus.parent}/{target}-"]
    command += [f"-dict={dictionary}"] if dictionary.exists() else []
    command += [str(corpus)] + [str(folder) for folder in inputs if folder.is_dir()]
    result = subprocess.run(command, capture_output=True, text=True, errors="replace",
                            env={**os.environ, "LLVM_PROFILE_FILE": str(profile)})
    executions = re.search(r"stat::number_of_executed_units:\s*(\d+)", result.stderr)
    edges = re.findall(r"cov: (\d+)", result.stderr)
    if result.returncode or not executions or not edges:
        print(f"{result.stderr[-3000:]}\n{target:16} FAILED, exit status {result.returncode}", flush=True)
        return False
    kept = sum(1 for _ in corpus.iterdir())
    covered = line_coverage(program, profile, TARGETS[target])
    print(f"{target:16} {int(executions.group(1)):12,} executions  {int(edges[-1]):6,} edges  {kept:6,} inputs kept  "
          f"{covered:5.1f} % of the lines of {' '.join(TARGETS[target])}", flush=True)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/fuzz")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("targets", nargs="*", help="all of them where none is named: " + ", ".join(TARGETS))
    options = parser.parse_args()
    wanted = [target.removesuffix("_fuzz") for target in options.targets] or list(TARGETS)
    for target in wanted:
        if target not in TARGETS:
            parser.error(f"no target {target}; there are {', '.join(TARGETS)}")
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda target: run(options.build.resolve(), target, options.seconds), wanted))
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    return 0 if all(results) else 1


sys.exit(main())

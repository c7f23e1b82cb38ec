"""The simulated appliance's things as JSON documents, field by field as the vendor OpenAPI has."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from sandbox.appliance.pairings_and_tasks import Pairing, Replication, Server, Task

Document = dict[str, Any]

_SYNCED_MS = 1_704_067_200_000
EXTENSION_KEY = "com.vmware.vcHms"


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def server_document(server: Server, status: str = "OK") -> Document:
    return {
        "id": server.id,
        "url": server.url,
        "name": server.name,
        "server_status": status,
        "certificates": [],
        "certificate_warnings": [],
        "version": server.version,
    }


def info_document(vrms: Server, vcenter: Server) -> Document:
    return {
        **server_document(vrms),
        "vc_guid": vcenter.id,
        "vc_name": vcenter.name,
        "extension_key": EXTENSION_KEY,
    }


def pairing_document(pairing: Pairing, *, remote_known: bool) -> Document:
    """`remote_known` False: what only the remote site could have told is left out."""
    status = "ERROR" if pairing.remote_down else "OK"
    remote_vrms = server_document(pairing.remote_vrms, status)
    if not remote_known:
        del remote_vrms["version"]
    return {
        "pairing_id": pairing.id,
        "local_vc_server": server_document(pairing.local_vc),
        "remote_vc_server": server_document(pairing.remote_vc, status),
        "local_vrms": server_document(pairing.local_vrms),
        "remote_vrms": remote_vrms,
    }


def replication_document(replication: Replication, pairing: Pairing) -> Document:
    source, target = pairing.local_vc, pairing.remote_vc
    target_vrms = pairing.remote_vrms
    if not replication.outgoing:
        source, target, target_vrms = target, source, pairing.local_vrms
    return {
        "name": replication.name,
        "id": replication.id,
        "vm_id": f"VirtualMachine:vm-{crc32(replication.id.encode()) % 9000 + 1000}:{source.id}",
        "source_site_name": source.name,
        "source_vc_id": source.id,
        "target_site_name": target.name,
        "target_vc_id": target.id,
        "status": {"status": "OK", "rpo_violation": False},
        "rpo": 60,
        "type": "VC_TO_VC",
        "replication_server_name": target_vrms.name,
        "recovery_solution": replication.recovery_solution,
        "configuration_state": "OK",
        "configuration_error": None,
        "last_group_error": None,
        "recovery_state": "NOT_STARTED",
        "recovery_error": None,
        "target_replication_server_uuid": target_vrms.id,
        "last_sync_time": _SYNCED_MS,
        "last_sync_duration": 20,
        "last_sync_size": 1 << 24,
        "current_rpo_violation": 0,
        "quiescing_enabled": False,
        "network_compression_enabled": True,
        "encryption_enabled": True,
        "auto_replicate_new_disks_enabled": True,
        "mpit_enabled": False,
        "mpit_instances": 0,
        "mpit_days": 0,
        "sync_progress": None,
        "vm_data_sets_replication_enabled": False,
    }


def issue_document(description: str, server: Server, name: str, at: float) -> Document:
    return {
        "entity": server.id,
        "entity_name": name,
        "description": description,
        "timestamp": milliseconds(at),
        "status": "WARNING",
        "issue_type": "VRMS",
    }


def task_document(task: Task) -> Document:
    message, details = task.error or ("", "")
    return {
        "id": task.id,
        "description": task.description,
        "description_id": f"com.vmware.hms.tasks.{'unpair' if task.pairing_id else 'other'}",
        "entity": task.entity,
        "entity_name": task.entity_name,
        "status": task.status,
        "error": {"message": message, "details": details} if task.error else None,
        "result": None,
        "progress": task.progress,
        "queued_time": milliseconds(task.queued_at),
        "start_time": None if task.status == "QUEUED" else milliseconds(task.starts_at),
        "complete_time": None if task.completed_at is None else milliseconds(task.completed_at),
    }

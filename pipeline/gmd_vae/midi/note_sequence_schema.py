"""The schema of NoteSequence as data, and its descriptor for protobuf.

The messages, fields and numbers are those of ``note_seq/protobuf/music.proto`` of note-seq 0.0.5 (copyright The Magenta
Authors, Apache License 2.0). The descriptor has the file name and the content of note_seq's, so that protobuf takes
both for one: a process has one NoteSequence class, with or without note_seq, in any order of imports.
"""

from __future__ import annotations

import textwrap

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)

_PACKAGE = "magenta"
_FILE = "note_seq/protobuf/music.proto"

# Fields as in a .proto file, with `oneof NAME` before those that exclude each other.
_MESSAGES = {
    "NoteSequence": """
        string id = 1
        string filename = 2
        int64 reference_number = 18
        string collection_name = 3
        int32 ticks_per_quarter = 4
        repeated NoteSequence.TimeSignature time_signatures = 5
        repeated NoteSequence.KeySignature key_signatures = 6
        repeated NoteSequence.Tempo tempos = 7
        repeated NoteSequence.Note notes = 8
        double total_time = 9
        int64 total_quantized_steps = 16
        repeated NoteSequence.PitchBend pitch_bends = 10
        repeated NoteSequence.ControlChange control_changes = 11
        repeated NoteSequence.PartInfo part_infos = 12
        NoteSequence.SourceInfo source_info = 13
        repeated NoteSequence.TextAnnotation text_annotations = 14
        repeated NoteSequence.SectionAnnotation section_annotations = 20
        repeated NoteSequence.SectionGroup section_groups = 21
        NoteSequence.QuantizationInfo quantization_info = 15
        NoteSequence.SubsequenceInfo subsequence_info = 17
        SequenceMetadata sequence_metadata = 19
        repeated NoteSequence.InstrumentInfo instrument_infos = 23
    """,
    "NoteSequence.Note": """
        int32 pitch = 1
        NoteSequence.PitchName pitch_name = 11
        int32 velocity = 2
        double start_time = 3
        int64 quantized_start_step = 13
        double end_time = 4
        int64 quantized_end_step = 14
        int32 numerator = 5
        int32 denominator = 6
        int32 instrument = 7
        int32 program = 8
        bool is_drum = 9
        int32 part = 10
        int32 voice = 12
    """,
    "NoteSequence.TimeSignature": """
        double time = 1
        int32 numerator = 2
        int32 denominator = 3
    """,
    "NoteSequence.KeySignature": """
        double time = 1
        NoteSequence.KeySignature.Key key = 2
        NoteSequence.KeySignature.Mode mode = 3
    """,
    "NoteSequence.Tempo": """
        double time = 1
        double qpm = 2
    """,
    "NoteSequence.PitchBend": """
        double time = 1
        int32 bend = 2
        int32 instrument = 3
        int32 program = 4
        bool is_drum = 5
    """,
    "NoteSequence.ControlChange": """
        double time = 1
        int64 quantized_step = 7
        int32 control_number = 2
        int32 control_value = 3
        int32 instrument = 4
        int32 program = 5
        bool is_drum = 6
    """,
    "NoteSequence.PartInfo": """
        int32 part = 1
        string name = 2
    """,
    "NoteSequence.InstrumentInfo": """
        int32 instrument = 1
        string name = 2
    """,
    "NoteSequence.SourceInfo": """
        NoteSequence.SourceInfo.SourceType source_type = 1
        NoteSequence.SourceInfo.EncodingType encoding_type = 2
        NoteSequence.SourceInfo.Parser parser = 3
    """,
    "NoteSequence.TextAnnotation": """
        double time = 1
        int64 quantized_step = 4
        string text = 2
        NoteSequence.TextAnnotation.TextAnnotationType annotation_type = 3
    """,
    "NoteSequence.QuantizationInfo": """
        oneof resolution int32 steps_per_quarter = 1
        oneof resolution int32 steps_per_second = 2
    """,
    "NoteSequence.SubsequenceInfo": """
        double start_time_offset = 1
        double end_time_offset = 2
    """,
    "NoteSequence.SectionAnnotation": """
        double time = 1
        int64 section_id = 4
    """,
    "NoteSequence.Section": """
        oneof section_type int64 section_id = 1
        oneof section_type NoteSequence.SectionGroup section_group = 2
    """,
    "NoteSequence.SectionGroup": """
        repeated NoteSequence.Section sections = 1
        int32 num_times = 2
    """,
    "SequenceMetadata": """
        string title = 1
        string artist = 2
        repeated string genre = 3
        repeated string composers = 4
    """,
    "VelocityRange": """
        int32 min = 1
        int32 max = 2
    """,
}
_ENUMS = {
    "NoteSequence.PitchName": """
        UNKNOWN_PITCH_NAME F_FLAT_FLAT C_FLAT_FLAT G_FLAT_FLAT D_FLAT_FLAT A_FLAT_FLAT E_FLAT_FLAT
        B_FLAT_FLAT F_FLAT C_FLAT G_FLAT D_FLAT A_FLAT E_FLAT B_FLAT F C G D A E B F_SHARP C_SHARP
        G_SHARP D_SHARP A_SHARP E_SHARP B_SHARP F_SHARP_SHARP C_SHARP_SHARP G_SHARP_SHARP
        D_SHARP_SHARP A_SHARP_SHARP E_SHARP_SHARP B_SHARP_SHARP
    """,
    "NoteSequence.KeySignature.Key": """
        C=0 C_SHARP=1 D_FLAT=1 D=2 D_SHARP=3 E_FLAT=3 E=4 F=5 F_SHARP=6 G_FLAT=6 G=7 G_SHARP=8
        A_FLAT=8 A=9 A_SHARP=10 B_FLAT=10 B=11
    """,
    "NoteSequence.KeySignature.Mode": """
        MAJOR MINOR NOT_SPECIFIED MIXOLYDIAN DORIAN PHRYGIAN LYDIAN LOCRIAN
    """,
    "NoteSequence.SourceInfo.SourceType": """
        UNKNOWN_SOURCE_TYPE SCORE_BASED PERFORMANCE_BASED
    """,
    "NoteSequence.SourceInfo.EncodingType": """
        UNKNOWN_ENCODING_TYPE MUSIC_XML ABC MIDI MUSICNET
    """,
    "NoteSequence.SourceInfo.Parser": """
        UNKNOWN_PARSER MUSIC21 PRETTY_MIDI MAGENTA_MUSIC_XML MAGENTA_MUSICNET MAGENTA_ABC
        TONEJS_MIDI_CONVERT
    """,
    "NoteSequence.TextAnnotation.TextAnnotationType": """
        UNKNOWN CHORD_SYMBOL BEAT
    """,
}

_SCALARS = {
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "double": FieldDescriptorProto.TYPE_DOUBLE,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "int64": FieldDescriptorProto.TYPE_INT64,
    "string": FieldDescriptorProto.TYPE_STRING,
}


def file_descriptor() -> FileDescriptorProto:
    """Returns the descriptor of the file that defines NoteSequence."""
    file = FileDescriptorProto(name=_FILE, package=_PACKAGE, syntax="proto3")
    messages: dict[str, DescriptorProto] = {}
    for path, fields in _MESSAGES.items():
        parent, _, name = path.rpartition(".")
        message = messages[parent].nested_type.add(name=name) if parent else file.message_type.add(name=name)
        messages[path] = message
        for line in textwrap.dedent(fields).strip().splitlines():
            _add_field(message, line.split())
    for path, values in _ENUMS.items():
        parent, _, name = path.rpartition(".")
        _add_values(messages[parent].enum_type.add(name=name), values.split())
    return file


def _add_field(message: DescriptorProto, words: list[str]) -> None:
    """Adds a field to a message.

    Args:
        message: The message.
        words: ``[repeated | oneof NAME] TYPE FIELD = NUMBER``.
    """
    *modifiers, kind, name, _, number = words
    field = message.field.add(name=name, number=int(number), label=FieldDescriptorProto.LABEL_OPTIONAL)
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type = FieldDescriptorProto.TYPE_ENUM if kind in _ENUMS else FieldDescriptorProto.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}.{kind}"
    if modifiers == ["repeated"]:
        field.label = FieldDescriptorProto.LABEL_REPEATED
    elif modifiers:
        if not message.oneof_decl:
            message.oneof_decl.add(name=modifiers[1])
        field.oneof_index = 0  # no message has two


def _add_values(enum: EnumDescriptorProto, names: list[str]) -> None:
    """Adds the values of an enum, ``NAME`` or ``NAME=NUMBER``; without numbers they count from 0."""
    for position, name in enumerate(names):
        name, _, number = name.partition("=")
        enum.value.add(name=name, number=int(number or position))
    if len({value.number for value in enum.value}) < len(enum.value):
        enum.options.allow_alias = True
